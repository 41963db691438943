"""The paths of the contract (docs/protocol.md)."""

from django.urls import path

from messaging import views

app_name = "messaging"
urlpatterns = [
    path("listings/<str:listing>/conversation/", views.start, name="start"),
    path("conversations/", views.conversations, name="conversations"),
    path("seller/", views.seller, name="seller"),
    path("conversation/<str:conversation_id>/", views.conversation, name="conversation"),
    path("conversation/<str:conversation_id>/new_message/", views.new_message, name="new_message"),
    path("conversation/<str:conversation_id>/messages/", views.messages, name="messages"),
    path("conversation/<str:conversation_id>/read/", views.read, name="read"),
]
