"""How much money models may cost: a day's budget for a tenant, its channels and its people.

budget   what may be spent, and the error of one that is spent
purse    pays for the model requests of one turn: reserved before each, settled with the step that it made
standing how the budgets stand, to be looked at
report   what was spent, by whom, where and when
"""

from __future__ import annotations

from athenaeum.tenants.budgets.budget import BudgetSpent, DayBudget, Scope
from athenaeum.tenants.budgets.purse import Purse

__all__ = ["BudgetSpent", "DayBudget", "Purse", "Scope"]
