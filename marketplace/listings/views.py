from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.in_session import in_session
from marketplace.listings import selectors, services
from marketplace.listings.forms import BrowseForm, ListingForm
from marketplace.listings.models import Listing
from messaging.selectors.asking import asking_context

PAGE_SIZE = 24
form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    form = BrowseForm(request.GET)
    form.is_valid()  # Either way: what it did not understand is shown there and not filtered by.
    filters = form.read_filters()
    page = Paginator(selectors.browse_listings(**filters), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "page": page,
        "filtered": any(request.GET.get(name) for name in form.fields),
    }
    return render(request, "listings/browse.html", context)


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    listing = selectors.access_listing(slug=slug)
    context = {
        "listing": listing,
        "photos": list(listing.photos.all()),
        "shows_all": listing.state != Listing.State.WITHDRAWN or listing.seller == request.user,
        **asking_context(listing=listing, user=request.user, session=request.session),
    }
    return render(request, "listings/detail.html", context)


@login_required
@require_safe
def selling(request: HttpRequest) -> HttpResponse:
    page = Paginator(selectors.list_own_listings(user=request.user), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    return render(request, "listings/selling.html", {"page": page, "states": Listing.State})


@login_required
@form_methods
def create(request: HttpRequest) -> HttpResponse:
    form = ListingForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        seller = cast(AbstractBaseUser, request.user)
        with in_session(request):
            listing = services.create_listing(
                seller=seller, photos=form.cleaned_data["photos"], **read_fields(form)
            )
        messages.success(request, _("Your listing is online."))
        return redirect(listing)
    return show_form(request, form, template="listings/create.html")


@login_required
@form_methods
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    listing = selectors.access_own_listing(user=request.user, slug=slug)
    form = ListingForm(request.POST or None, request.FILES or None, instance=listing)
    if request.method == "POST" and form.is_valid():
        with in_session(request):
            services.update_listing(
                listing=listing,
                removed_photos=[photo.pk for photo in form.cleaned_data["remove"]],
                added_photos=form.cleaned_data["photos"],
                **read_fields(form),
            )
        messages.success(request, _("Your changes are saved."))
        return redirect(listing)
    listing.refresh_from_db(fields=["title"])  # The form writes what it checks into the object.
    return show_form(request, form, template="listings/edit.html", listing=listing)


@login_required
@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    listing = selectors.access_own_listing(user=request.user, slug=slug)
    if request.POST.get("state") not in Listing.State.values:
        raise BadRequest("Unknown state")
    with in_session(request):
        services.change_state(listing=listing, state=Listing.State(request.POST["state"]))
    messages.success(
        request,
        _("“%(title)s” is now marked: %(state)s.")
        % {"title": listing.title, "state": listing.state_label.lower()},
    )
    return redirect("listings:selling")


def read_fields(form: ListingForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("title", "text", "price", "currency")}


def show_form(
    request: HttpRequest, form: ListingForm, *, template: str, listing: Listing | None = None
) -> HttpResponse:
    status = 400 if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, "listing": listing}, status=status)
