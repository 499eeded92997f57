"""Sign-in, sign-out, the choice of the tenant, one's account, the tenant's keys, and the operator's view of health."""

from django.urls import URLPattern, path

from tenancy import account_views as account
from tenancy import key_views as keys
from tenancy.operations import HealthDetailedView
from tenancy.resilience_api import DebugResilienceView
from tenancy.sign_on_views import SignOnCallbackView, SignOnView, UnlinkIdentityView
from tenancy.usage_page import UsagePage
from tenancy.views import ChooseTenantView, SignInCodeView, SignInView, SignOutView

urlpatterns: list[URLPattern] = [
    path("health/detailed", HealthDetailedView.as_view(), name="health-detailed"),
    path("debug-resilience", DebugResilienceView.as_view(), name="debug-resilience"),
    path("desk/usage/", UsagePage.as_view(), name="usage"),
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-in/code/", SignInCodeView.as_view(), name="sign-in-code"),
    path("sign-in/sso/<slug:provider_id>/", SignOnView.as_view(), name="sign-on"),
    # The name under which the library looks for the way back.
    path("sign-in/sso/<slug:provider_id>/callback/", SignOnCallbackView.as_view(), name="openid_connect_callback"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("tenant/<uuid:tenant_id>/choose/", ChooseTenantView.as_view(), name="choose-tenant"),
    path("account/", account.OverviewView.as_view(), name="account"),
    path("account/sessions/end-others/", account.EndOtherSessionsView.as_view(), name="end-other-sessions"),
    path("account/sessions/<uuid:session_id>/end/", account.EndSessionView.as_view(), name="end-session"),
    path("account/tokens/<uuid:family_id>/end/", account.EndTokensView.as_view(), name="end-tokens"),
    path("account/password/", account.PasswordView.as_view(), name="password"),
    path("account/second-factor/", account.SecondFactorView.as_view(), name="second-factor"),
    path("account/second-factor/codes/", account.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("account/second-factor/off/", account.SecondFactorOffView.as_view(), name="second-factor-off"),
    path("account/identities/<uuid:identity_id>/unlink/", UnlinkIdentityView.as_view(), name="unlink-identity"),
    path("keys/", keys.KeysView.as_view(), name="keys"),
    path("keys/<uuid:key_id>/rotate/", keys.RotateKeyView.as_view(), name="rotate-key"),
    path("keys/<uuid:key_id>/revoke/", keys.RevokeKeyView.as_view(), name="revoke-key"),
]
