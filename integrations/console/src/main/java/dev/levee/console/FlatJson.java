package dev.levee.console;

import java.util.LinkedHashMap;
import java.util.Map;

/** Reads one JSON object whose values are texts, and nothing else: no nesting, no numbers, no name twice. */
final class FlatJson {
    private final String text;
    private int place;

    private FlatJson(String text) {
        this.text = text;
    }

    /**
     * Reads an object.
     *
     * @throws IllegalArgumentException if it is anything else; the message does not have the text
     */
    static Map<String, String> parse(String text) {
        return new FlatJson(text).object();
    }

    private Map<String, String> object() {
        Map<String, String> values = new LinkedHashMap<>();
        expect('{');
        if (!accept('}')) {
            do {
                String name = string();
                expect(':');
                if (values.put(name, string()) != null) {
                    throw wrong("a name stands in it twice");
                }
            } while (accept(','));
            expect('}');
        }
        skipBlanks();
        if (place < text.length()) {
            throw wrong("something follows the object");
        }
        return values;
    }

    private String string() {
        expect('"');
        StringBuilder value = new StringBuilder();
        while (true) {
            char c = next();
            if (c == '"') {
                return value.toString();
            } else if (c < ' ') {
                throw wrong("a text has a control character");
            }
            value.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() {
        char c = next();
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> hex();
            default -> throw wrong("unknown escape");
        };
    }

    private char hex() {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            char c = next();
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("an escape is no number");
            }
            value = value * 16 + digit;
        }
        return (char) value;
    }

    private boolean accept(char c) {
        skipBlanks();
        if (place < text.length() && text.charAt(place) == c) {
            place++;
            return true;
        }
        return false;
    }

    private void expect(char c) {
        if (!accept(c)) {
            throw wrong("expected " + c);
        }
    }

    private char next() {
        if (place == text.length()) {
            throw wrong("the text ends early");
        }
        return text.charAt(place++);
    }

    private void skipBlanks() {
        while (place < text.length() && " \t\r\n".indexOf(text.charAt(place)) >= 0) {
            place++;
        }
    }

    private IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException("an object of texts is expected; at character " + place + ": " + why);
    }
}
