"""Released models as the site shows them."""
