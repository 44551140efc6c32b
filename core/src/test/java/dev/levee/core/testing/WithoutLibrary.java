package dev.levee.core.testing;

/** Loads all that its parent does, but not the library. */
public final class WithoutLibrary extends ClassLoader {
    /** Makes one beside a loader that has the library. */
    public WithoutLibrary(ClassLoader parent) {
        super(parent);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (name.startsWith("dev.levee.")) {
            throw new ClassNotFoundException(name);
        }
        return super.loadClass(name, resolve);
    }
}
