def make_slices(cjk):
    return []
