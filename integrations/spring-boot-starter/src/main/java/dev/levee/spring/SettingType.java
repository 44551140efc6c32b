package dev.levee.spring;

import dev.levee.core.Deadline;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the text of a property becomes a value.
 *
 * @param type the type in the metadata for IDEs
 * @param parse throws an {@code IllegalArgumentException} that says what is expected
 * @param <T> the type of the value
 */
record SettingType<T>(String type, Function<String, T> parse) {
    private static final Pattern TIME = Pattern.compile("(\\d{1,18})\\s*(ns|us|ms|s|m|h|d)");

    static final SettingType<Integer> INT = number("java.lang.Integer", "a whole number", Integer::valueOf);
    static final SettingType<Long> LONG = number("java.lang.Long", "a whole number", Long::valueOf);
    static final SettingType<Double> DOUBLE = number("java.lang.Double", "a number", SettingType::decimal);
    static final SettingType<Duration> TIME_SPAN = new SettingType<>("java.time.Duration", SettingType::duration);
    static final SettingType<String> TEXT = new SettingType<>("java.lang.String", text -> text);
    static final SettingType<ZoneId> ZONE = new SettingType<>("java.time.ZoneId", SettingType::zone);
    static final SettingType<Boolean> FLAG = new SettingType<>("java.lang.Boolean", SettingType::flag);
    static final SettingType<Class<? extends Throwable>> FAILURE =
            new SettingType<>("java.lang.Class<java.lang.Throwable>", SettingType::failure);

    static <E extends Enum<E>> SettingType<E> oneOf(Class<E> type) {
        return new SettingType<>(type.getName(), text -> {
            for (E constant : type.getEnumConstants()) {
                if (Settings.uniform(constant.name()).equals(Settings.uniform(text))) {
                    return constant;
                }
            }
            throw new IllegalArgumentException("must be one of "
                    + Arrays.stream(type.getEnumConstants())
                            .map(each -> each.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                            .toList());
        });
    }

    /** Returns a type whose values are made of those of this one. */
    <U> SettingType<U> map(Function<? super T, ? extends U> function) {
        return new SettingType<>(type, text -> function.apply(parse.apply(text)));
    }

    private static <T extends Number> SettingType<T> number(String type, String what, Function<String, T> parse) {
        return new SettingType<>(type, text -> {
            try {
                return parse.apply(text.trim());
            } catch (NumberFormatException wrong) {
                throw new IllegalArgumentException("must be " + what);
            }
        });
    }

    /** A number without the letters that the source of a program may have at its end: "1d" is a day, perhaps. */
    private static Double decimal(String text) {
        if (text.matches("[+-]?(0[xX].*|.*[0-9.][dDfF])")) {
            throw new NumberFormatException(text);
        }
        return Double.valueOf(text);
    }

    private static Boolean flag(String text) {
        return switch (text.trim().toLowerCase(Locale.ROOT)) {
            case "true", "on", "yes" -> true;
            case "false", "off", "no" -> false;
            default -> throw new IllegalArgumentException("must be true or false");
        };
    }

    private static ZoneId zone(String text) {
        try {
            return ZoneId.of(text.trim());
        } catch (DateTimeException wrong) {
            throw new IllegalArgumentException("must be a time zone such as Europe/Berlin or UTC");
        }
    }

    private static Duration duration(String text) {
        String word = text.trim().toLowerCase(Locale.ROOT);
        if (word.equals("forever")) {
            return Deadline.FOREVER;
        }
        Matcher matcher = TIME.matcher(word);
        try {
            if (!matcher.matches()) {
                if (word.startsWith("p") || word.startsWith("-p")) {
                    return Duration.parse(word);
                }
                throw new IllegalArgumentException(
                        "must be a duration with a unit: 500ms, 2s, 1m, 1h, 1d, PT1M30S or" + " forever");
            }
            long amount = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "ns" -> Duration.ofNanos(amount);
                case "us" -> Duration.ofNanos(Math.multiplyExact(amount, 1_000L));
                case "ms" -> Duration.ofMillis(amount);
                case "s" -> Duration.ofSeconds(amount);
                case "m" -> Duration.ofMinutes(amount);
                case "h" -> Duration.ofHours(amount);
                default -> Duration.ofDays(amount);
            };
        } catch (ArithmeticException | DateTimeException wrong) {
            throw new IllegalArgumentException("must be a duration such as 500ms, 2s or PT1M30S, and not too long");
        }
    }

    private static Class<? extends Throwable> failure(String text) {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            Class<?> type =
                    Class.forName(text.trim(), false, loader == null ? SettingType.class.getClassLoader() : loader);
            return type.asSubclass(Throwable.class);
        } catch (ClassNotFoundException | LinkageError missing) {
            throw new IllegalArgumentException("must be the name of a class on the class path");
        } catch (ClassCastException other) {
            throw new IllegalArgumentException("must be the name of an exception");
        }
    }
}
