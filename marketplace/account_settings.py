"""Settings of people: who they are, how they sign in. Imported whole by settings.py."""

from marketplace.social_providers import social_providers

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "listings:browse"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmCodeForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "add_email": "accounts.forms.AddEmailForm",
    "set_password": "accounts.forms.SetPasswordForm",
}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
# On top of allauth's own limits: guesses at one code that was mailed.
ACCOUNT_RATE_LIMITS = {"confirm_code": "3/15m/key"}
# What decides over an account asks for the password, or the second factor, once more.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60

# --- Second factor and passkeys -----------------------------------------------------------------
# No “trust this browser”: whoever wants to type nothing takes a passkey, and nobody can copy that.
MFA_ADAPTER = "accounts.mfa_adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Trato"
MFA_FORMS = {
    "authenticate": "accounts.mfa_forms.AuthenticateForm",
    "authenticate_webauthn": "accounts.mfa_forms.AuthenticatePasskeyForm",
    "reauthenticate": "accounts.mfa_forms.ReauthenticateForm",
    "reauthenticate_webauthn": "accounts.mfa_forms.ReauthenticatePasskeyForm",
    "login_webauthn": "accounts.mfa_forms.LoginPasskeyForm",
    "activate_totp": "accounts.mfa_forms.ActivateAppForm",
    "add_webauthn": "accounts.mfa_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.mfa_forms.RenamePasskeyForm",
}

# --- Accounts elsewhere -------------------------------------------------------------------------
SOCIALACCOUNT_ADAPTER = "accounts.social_adapter.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = social_providers()
SOCIALACCOUNT_FORMS = {"signup": "accounts.forms.SocialSignupForm"}
# An address opens an account here only if the provider says that it has been verified.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
# Which accounts staff may open again.
ACCOUNTS_MAY_BE_ACTIVE = "marketplace.privacy.selectors.may_be_active"
# Everybody knows this password: it opens these accounts in debug only.
DEMO_ADDRESSES = ("sol@example.com", "ana@example.com", "teo@example.com")
DEMO_PASSWORD = "trato-demo"  # noqa: S105
