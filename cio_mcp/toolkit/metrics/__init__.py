"""What messages came to: over which span of time, as rates, as figures, and what of it is more than chance."""
