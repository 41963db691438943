"""Looks at an installation as a whole and says in words what is wrong with it and what to do.

A question is a function that gives findings (`notifications.findings`); apps of a host add theirs
with `messaging.doctor.registry.register` in their `AppConfig.ready`.
"""
