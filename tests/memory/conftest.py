from hypothesis import settings

settings.register_profile("memory", deadline=None)  # a busy machine is no defect
settings.load_profile("memory")
