"""The pages about learning: the course, lessons, and what a class wrote in them."""
