"""`make bench`: figures as ratios of what is measured in one run, since machines differ and are busy."""
