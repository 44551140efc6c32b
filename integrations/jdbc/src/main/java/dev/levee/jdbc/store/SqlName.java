package dev.levee.jdbc.store;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.regex.Pattern;

/**
 * The name of a table or column. A plain one is written as it is, so that the database folds its case as in all other
 * statements; one in double quotes is written in the quotes of the dialect, whatever is in it.
 *
 * @param text without quotes
 * @param quoted whether it was given in quotes
 */
record SqlName(String text, boolean quoted) {
    private static final int MAX_CHARS = 63;
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern TYPE =
            Pattern.compile("[A-Za-z][A-Za-z0-9_ ]*(\\([0-9]+( ?, ?[0-9]+)?\\))?[A-Za-z ]*");

    static SqlName of(String what, String name) {
        Require.nonNull(what, name);
        if (PLAIN.matcher(name).matches() && name.length() <= MAX_CHARS) {
            return new SqlName(name, false);
        }
        int end = name.length() - 1;
        if (end > 1 && end <= MAX_CHARS + 1 && name.charAt(0) == '"' && name.charAt(end) == '"') {
            String inner = name.substring(1, end);
            if (inner.indexOf('"') < 0
                    && inner.indexOf('`') < 0
                    && Text.printable(inner).equals(inner)) {
                return new SqlName(inner, true);
            }
        }
        throw new IllegalArgumentException(what + " must be a plain SQL name, or one in double quotes without quotes in"
                + " it, of at most " + MAX_CHARS + " characters, but was \"" + Text.printable(name) + '"');
    }

    /** Returns a type as it stands in DDL: words, and a length. */
    static String type(String column, String type) {
        if (!TYPE.matcher(Require.nonNull("type", type)).matches()) {
            throw new IllegalArgumentException("type of column " + column
                    + " must be words with a length, such as VARCHAR(64), but was \"" + Text.printable(type) + '"');
        }
        return type;
    }

    String sql(SqlDialect dialect) {
        return quoted ? dialect.quote + text + dialect.quote : text;
    }

    @Override
    public String toString() {
        return quoted ? '"' + text + '"' : text;
    }
}
