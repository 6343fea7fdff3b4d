// placeholder until the style lands
