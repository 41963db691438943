from django.apps import AppConfig


class OperatingConfig(AppConfig):
    """What whoever runs the marketplace sees of it: access and security log, doctor's questions."""

    name = "marketplace.operating"

    def ready(self) -> None:
        import celery_app  # noqa: F401 (from here on it is the one that tasks are sent by)
        from marketplace.operating import doctor, failures, security_log

        failures.log_what_nobody_catches()
        security_log.connect()
        doctor.register_questions()
