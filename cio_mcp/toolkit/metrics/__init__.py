"""What messages came to: over which span of time, as rates, as figures, and what is more than chance."""
