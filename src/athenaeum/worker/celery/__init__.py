"""Celery in the queue's service: it brings ids to workers, and PostgreSQL decides what becomes of the events.

app         Celery's settings, the one task, and publishing
relay       tells the broker what is runnable
bench       claims what was brought, and runs it
consumer    Celery's worker in a thread of this process

Needs the extra `athenaeum[celery]`; nothing else imports this package before it is wanted.
"""
