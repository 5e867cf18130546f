"""The worker: takes training jobs from the queue and makes models of them."""
