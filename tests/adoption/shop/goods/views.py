from django.shortcuts import get_object_or_404, render

from goods.models import Product

# trato
from messaging.selectors.asking import asking_context

# end


def shelf(request):
    return render(request, "goods/shelf.html", {"products": Product.objects.order_by("title")})


def product(request, code):
    found = get_object_or_404(Product, code=code)
    context = {"product": found}
    # trato
    context |= asking_context(listing=found, user=request.user, session=request.session)
    # end
    return render(request, "goods/product.html", context)
