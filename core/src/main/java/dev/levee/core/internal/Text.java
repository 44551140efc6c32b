package dev.levee.core.internal;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Makes texts from outside safe to show in a log line or a message: a key with a line break in it would forge a second
 * line, and one with marks of direction would show another order than it has. See ADR 79.
 *
 * <p>What is not shown as it is: control characters (C0, DEL and C1), the separators of lines and paragraphs, the
 * marks, overrides and isolates of direction, and halves of surrogate pairs. Stateless. A text that can be shown as it
 * is is returned as it is, and costs one pass over it.
 */
public final class Text {
    /** The length up to which {@link #printable} shows a text. */
    public static final int MAX_SHOWN = 200;

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private Text() {}

    /**
     * Returns the text of a value for a log line or a message: escaped as by {@link #escaped}; of more than
     * {@link #MAX_SHOWN} characters only the first are shown, with their number after them.
     *
     * @param value a name, a key or a path, or null
     * @return its text
     */
    public static String printable(@Nullable Object value) {
        String text = String.valueOf(value);
        if (text.length() <= MAX_SHOWN) {
            return escaped(text);
        }
        int end = Character.isHighSurrogate(text.charAt(MAX_SHOWN - 1)) ? MAX_SHOWN - 1 : MAX_SHOWN;
        return escaped(text.substring(0, end)) + "... (" + text.length() + " characters)";
    }

    /**
     * Returns a text in which each character that cannot be shown as it is has the form of a Java escape, as a line
     * feed has {@code \}{@code u000A}.
     *
     * @param text any text
     * @return the same object if there is none
     */
    public static String escaped(String text) {
        int next = unprintable(text, 0);
        if (next < 0) {
            return text;
        }
        StringBuilder shown = new StringBuilder(text.length() + 32);
        int from = 0;
        for (; next >= 0; next = unprintable(text, from)) {
            shown.append(text, from, next).append(escape(text.charAt(next)));
            from = next + 1;
        }
        return shown.append(text, from, text.length()).toString();
    }

    /**
     * Returns what was thrown as a text for a log line or a message, as {@link #printable} does. Never throws: of one
     * whose own methods throw, only the class is shown.
     *
     * @param thrown what was thrown, or null
     * @return its text
     */
    public static String ofThrown(@Nullable Throwable thrown) {
        try {
            return printable(thrown);
        } catch (Throwable ofItsMethods) {
            return thrown == null ? "null" : thrown.getClass().getName();
        }
    }

    /** Returns where the first character is that cannot be shown as it is, or -1. */
    static int unprintable(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (isUnprintable(c)) {
                return i;
            }
        }
        return -1;
    }

    static String escape(char c) {
        return "\\u" + HEX.toHexDigits(c);
    }

    private static boolean isUnprintable(char c) {
        if (c < 0x7F) {
            return c < ' ';
        }
        return c <= 0x9F
                || c == 0x061C
                || c == 0x200E
                || c == 0x200F
                || (c >= 0x2028 && c <= 0x202E)
                || (c >= 0x2066 && c <= 0x2069)
                || Character.isSurrogate(c);
    }
}
