package dev.levee.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Makes the {@link VarHandle} of a field, for the initializer of a static final constant. */
public final class Handles {
    private Handles() {}

    /**
     * Returns the handle of a field that the class of the lookup declares.
     *
     * @param lookup the lookup of the class that declares the field
     * @param field the name of the field
     * @param type the declared type of the field
     * @return the handle
     * @throws ExceptionInInitializerError if there is no such field
     */
    public static VarHandle field(MethodHandles.Lookup lookup, String field, Class<?> type) {
        return field(lookup, lookup.lookupClass(), field, type);
    }

    /**
     * Returns the handle of a field that another class declares.
     *
     * @param lookup a lookup that has access to the field
     * @param owner the class that declares the field
     * @param field the name of the field
     * @param type the declared type of the field
     * @return the handle
     * @throws ExceptionInInitializerError if there is no such field
     */
    public static VarHandle field(MethodHandles.Lookup lookup, Class<?> owner, String field, Class<?> type) {
        try {
            return lookup.findVarHandle(owner, field, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
