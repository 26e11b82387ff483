"""Simulated worlds: the product's own code on a virtual clock, with every order of events chosen by a seed.

`loop` runs tasks, `choices` decides, `store` and its neighbours stand in for PostgreSQL, `slack` for Slack,
`processes` live and die, `scenarios` say what happens, `exploration` looks for what goes wrong.
"""
