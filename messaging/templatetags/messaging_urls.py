"""Addresses of the site's own pages, whatever it calls them."""

from django import template

from messaging import conf

register = template.Library()

register.simple_tag(conf.login_url, name="login_url")
register.simple_tag(conf.browse_url, name="browse_url")
register.simple_tag(conf.selling_url, name="selling_url")
