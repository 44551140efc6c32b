package dev.levee.ratelimit.http;

/** Skips spaces and tabs, and no other blanks: RFC 9110, section 5.6.3. Stateless. */
final class Blanks {
    private Blanks() {}

    /** Returns where the first character is that is not blank, or the end. */
    static int skip(String text, int from, int to) {
        int at = from;
        while (at < to && isBlank(text.charAt(at))) {
            at++;
        }
        return at;
    }

    /** Returns the position behind the last character that is not blank, or the beginning. */
    static int skipBack(String text, int from, int to) {
        int at = to;
        while (at > from && isBlank(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    static String trimmed(String text) {
        int from = skip(text, 0, text.length());
        return text.substring(from, skipBack(text, from, text.length()));
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }
}
