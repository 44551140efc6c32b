package dev.levee.core.internal;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** Checks of arguments whose messages carry the name, the bound and the value. See ADR 10. */
public final class Require {
    private Require() {}

    /**
     * Returns the value, which must not be null.
     *
     * @param name the name of the argument
     * @param value the argument
     * @param <T> its type
     * @return the value
     * @throws NullPointerException with the name if the value is null
     */
    public static <T> T nonNull(String name, T value) {
        return Objects.requireNonNull(value, name);
    }

    /**
     * Returns a name, which must have at least one character that is not blank, and none that would forge a line of a
     * log or change its order: see {@link Text}.
     *
     * @param name the name of a policy
     * @return the name
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is blank or has such a character
     */
    public static String name(String name) {
        if (nonNull("name", name).isBlank()) {
            throw new IllegalArgumentException("name must not be blank, but was \"" + Text.printable(name) + "\"");
        }
        int place = Text.unprintable(name, 0);
        if (place >= 0) {
            throw new IllegalArgumentException("name must have no control, line or direction character, but has "
                    + Text.escape(name.charAt(place)) + " at " + place + ": \"" + Text.printable(name) + "\"");
        }
        return name;
    }

    /**
     * Makes settings in the way that a user chose; what is wrong with them is said with the kind and the name of what
     * they are for.
     *
     * @param kind what is made, such as {@code breaker}
     * @param name its name
     * @param builder a builder with the defaults
     * @param configure sets what differs
     * @param build makes the settings, and checks them against each other
     * @param <B> the builder
     * @param <C> the settings
     * @return the settings
     * @throws NullPointerException if the name or {@code configure} is null, or a setting is
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     */
    public static <B, C> C configured(
            String kind, String name, B builder, Consumer<? super B> configure, Function<? super B, C> build) {
        name(name);
        nonNull("configure", configure);
        return naming(kind, name, () -> {
            configure.accept(builder);
            return build.apply(builder);
        });
    }

    /**
     * Returns what a check of an argument returns; what is wrong is said with the kind and the name of what it is for.
     *
     * @param kind what is made, such as {@code breaker}
     * @param name its name
     * @param check checks and returns
     * @param <T> what it returns
     * @return what it returned
     * @throws NullPointerException if the check threw one
     * @throws IllegalArgumentException if the check threw one
     */
    public static <T> T naming(String kind, String name, Supplier<T> check) {
        try {
            return check.get();
        } catch (IllegalArgumentException wrong) {
            if (wrong.getClass() != IllegalArgumentException.class) {
                throw wrong; // of a user
            }
            throw new IllegalArgumentException(named(kind, name, wrong), wrong);
        } catch (NullPointerException missing) {
            NullPointerException named = new NullPointerException(named(kind, name, missing));
            named.initCause(missing);
            throw named;
        }
    }

    private static String named(String kind, String name, RuntimeException wrong) {
        return kind + " \"" + Text.printable(name) + "\": " + wrong.getMessage();
    }

    /**
     * Returns the value if it lies in a range.
     *
     * @param name the name of the argument
     * @param value the argument
     * @param low the smallest value allowed
     * @param high the largest value allowed
     * @return the value
     * @throws IllegalArgumentException if the value is outside
     */
    public static int range(String name, int value, int low, int high) {
        range(name, (long) value, low, high);
        return value;
    }

    /**
     * Returns the value if it lies in a range.
     *
     * @param name the name of the argument
     * @param value the argument
     * @param low the smallest value allowed
     * @param high the largest value allowed
     * @return the value
     * @throws IllegalArgumentException if the value is outside
     */
    public static long range(String name, long value, long low, long high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(name + " must be " + bounds(low, high) + ", but was " + value);
        }
        return value;
    }

    /**
     * Returns a share that is more than 0 and at most 1.
     *
     * @param name the name of the argument
     * @param value the argument
     * @return the value
     * @throws IllegalArgumentException if the value is outside or not a number
     */
    public static double ratio(String name, double value) {
        if (!(value > 0.0 && value <= 1.0)) {
            throw new IllegalArgumentException(name + " must be more than 0 and at most 1, but was " + value);
        }
        return value;
    }

    /**
     * Returns a duration that is more than zero.
     *
     * @param name the name of the argument
     * @param value the argument
     * @return the value
     * @throws NullPointerException with the name if the value is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static Duration positive(String name, Duration value) {
        if (nonNull(name, value).isZero() || value.isNegative()) {
            throw new IllegalArgumentException(name + " must be more than zero, but was " + Nanos.text(value));
        }
        return value;
    }

    /**
     * Returns a duration that is zero or more.
     *
     * @param name the name of the argument
     * @param value the argument
     * @return the value
     * @throws NullPointerException with the name if the value is null
     * @throws IllegalArgumentException if it is negative
     */
    public static Duration notNegative(String name, Duration value) {
        if (nonNull(name, value).isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative, but was " + Nanos.text(value));
        }
        return value;
    }

    private static String bounds(long low, long high) {
        if (high == Long.MAX_VALUE || high == Integer.MAX_VALUE) {
            return "at least " + low;
        }
        return "from " + low + " to " + high;
    }
}
