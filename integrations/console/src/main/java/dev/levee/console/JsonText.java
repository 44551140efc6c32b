package dev.levee.console;

import org.jspecify.annotations.Nullable;

/** Writes JSON, in which what could end a script or a line is escaped, so that it is safe anywhere. Not thread-safe. */
final class JsonText {
    private final StringBuilder text = new StringBuilder(4096);
    private boolean first = true;

    JsonText open(char bracket) {
        next();
        text.append(bracket);
        first = true;
        return this;
    }

    JsonText close(char bracket) {
        text.append(bracket);
        first = false;
        return this;
    }

    JsonText name(String name) {
        next();
        quote(name);
        text.append(':');
        first = true;
        return this;
    }

    JsonText value(@Nullable String value) {
        next();
        if (value == null) {
            text.append("null");
        } else {
            quote(value);
        }
        return this;
    }

    JsonText value(long value) {
        next();
        text.append(value);
        return this;
    }

    JsonText value(boolean value) {
        next();
        text.append(value);
        return this;
    }

    /** Writes a figure; JSON has no word for what is not a number. */
    JsonText value(double value) {
        next();
        if (!Double.isFinite(value)) {
            text.append("null");
        } else if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            text.append((long) value);
        } else {
            text.append(value);
        }
        return this;
    }

    private void next() {
        if (!first) {
            text.append(',');
        }
        first = false;
    }

    private void quote(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '\'' || c > '~') {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
