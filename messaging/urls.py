"""The paths of the contract (docs/protocol.md)."""

from django.urls import path

from messaging import views

app_name = "messaging"
MESSAGE = "conversation/<str:conversation_id>/messages/<str:sequence>/"
urlpatterns = [
    path("listings/<str:listing>/conversation/", views.start, name="start"),
    path("conversations/", views.conversations, name="conversations"),
    path("seller/", views.seller, name="seller"),
    path("conversation/<str:conversation_id>/", views.conversation, name="conversation"),
    path("conversation/<str:conversation_id>/new_message/", views.new_message, name="new_message"),
    path("conversation/<str:conversation_id>/messages/", views.messages, name="messages"),
    path("conversation/<str:conversation_id>/read/", views.read, name="read"),
    path(f"{MESSAGE}edit/", views.edit, name="edit"),
    path(f"{MESSAGE}delete/", views.delete, name="delete"),
    path("conversation/<str:conversation_id>/archive/", views.archive, name="archive"),
    path("conversation/<str:conversation_id>/star/", views.star, name="star"),
    path("conversation/<str:conversation_id>/mute/", views.mute, name="mute"),
    path("conversation/<str:conversation_id>/leave/", views.leave, name="leave"),
    path("people/blocked/", views.blocked, name="blocked"),
    path("people/<str:user_id>/block/", views.block, name="block"),
]
