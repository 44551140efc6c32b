package dev.levee.ratelimit.http;

import dev.levee.core.internal.Text;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Reads structured fields: Nottingham and Kamp, "Structured Field Values for HTTP", RFC 9651, 2024, section 4.2. Of its
 * types it knows lists of items and dictionaries. No field here has inner lists: in a list of items they are malformed,
 * in a dictionary a member that nothing asks for.
 *
 * <p>Strict, as the RFC demands: the text as a whole has the form, or it has none. Goes over the text once; what is
 * wrong is an {@link IllegalArgumentException} with the name of the field and the position. Not thread-safe.
 */
final class FieldReader {
    /** The length of the longest text that is read; a longer one is malformed. */
    static final int MAX_CHARS = 65_536;

    private static final int MAX_INTEGER_DIGITS = 15;
    private static final int MAX_DECIMAL_DIGITS = 12;
    private static final int MAX_FRACTION_DIGITS = 3;
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~:/";

    private final String field;
    private final String text;
    private int at;

    FieldReader(String field, String text) {
        this.field = field;
        this.text = text;
        if (text.length() > MAX_CHARS) {
            throw new IllegalArgumentException(
                    field + " must have at most " + MAX_CHARS + " characters, but had " + text.length());
        }
    }

    /** Reads a list of items that has at least one. */
    List<FieldItem> items() {
        List<FieldItem> items = new ArrayList<>();
        skipSpaces();
        do {
            int start = at;
            Object value = bareItem();
            items.add(new FieldItem(start, value, parameters()));
        } while (hasNextMember());
        return items;
    }

    /** Reads one item. */
    FieldItem item() {
        skipSpaces();
        int start = at;
        Object value = bareItem();
        FieldItem item = new FieldItem(start, value, parameters());
        skipSpaces();
        if (at < text.length()) {
            throw malformed("the end", at);
        }
        return item;
    }

    /** Reads a dictionary that has at least one member; of a repeated key the last. */
    Map<String, FieldItem> dictionary() {
        Map<String, FieldItem> members = new LinkedHashMap<>();
        skipSpaces();
        do {
            String key = key();
            int start = at;
            Object value = text.startsWith("=(", at) ? innerList() : optionalValue();
            members.put(key, new FieldItem(start, value, parameters()));
        } while (hasNextMember());
        return members;
    }

    private Object innerList() {
        at += 2;
        skipSpaces();
        while (!isNext(')')) {
            bareItem();
            parameters();
            if (!isNext(' ') && !isNext(')')) {
                throw malformed("a space or the end of the inner list", at);
            }
            skipSpaces();
        }
        at++;
        return FieldItem.OTHER;
    }

    private boolean hasNextMember() {
        skipBlanks();
        if (at == text.length()) {
            return false;
        }
        expect(',', "a comma");
        skipBlanks();
        return true;
    }

    private Map<String, Object> parameters() {
        if (!isNext(';')) {
            return Map.of();
        }
        Map<String, Object> parameters = new HashMap<>();
        while (isNext(';')) {
            at++;
            skipSpaces();
            String key = key();
            parameters.put(key, optionalValue());
        }
        return parameters;
    }

    private Object optionalValue() {
        if (!isNext('=')) {
            return FieldItem.OTHER; // true
        }
        at++;
        return bareItem();
    }

    private String key() {
        int start = at;
        if (!isNext('*') && !isNext(FieldReader::isLower)) {
            throw malformed("a key", at);
        }
        skip(c -> isLower(c) || isDigit(c) || c == '_' || c == '-' || c == '.' || c == '*');
        return text.substring(start, at);
    }

    private Object bareItem() {
        if (at == text.length()) {
            throw malformed("a value", at);
        }
        char c = text.charAt(at);
        return switch (c) {
            case '"' -> string();
            case ':' -> byteSequence();
            case '?' -> bool();
            case '@' -> date();
            case '%' -> displayString();
            case '-' -> number();
            default -> isDigit(c) ? number() : token();
        };
    }

    private Object token() {
        if (!isNext('*') && !isNext(FieldReader::isAlpha)) {
            throw malformed("a value", at);
        }
        skip(c -> isAlpha(c) || isDigit(c) || TOKEN_MARKS.indexOf(c) >= 0);
        return FieldItem.OTHER;
    }

    private Object number() {
        boolean isNegative = isNext('-');
        if (isNegative) {
            at++;
        }
        int start = at;
        skip(FieldReader::isDigit);
        int digits = at - start;
        if (digits == 0) {
            throw malformed("a digit", at);
        }
        if (isNext('.')) {
            if (digits > MAX_DECIMAL_DIGITS) {
                throw malformed("at most " + MAX_DECIMAL_DIGITS + " digits before the point", start);
            }
            int point = at++;
            skip(FieldReader::isDigit);
            int places = at - point - 1;
            if (places == 0 || places > MAX_FRACTION_DIGITS) {
                throw malformed("one to " + MAX_FRACTION_DIGITS + " digits behind the point", point + 1);
            }
            return FieldItem.OTHER;
        }
        if (digits > MAX_INTEGER_DIGITS) {
            throw malformed("at most " + MAX_INTEGER_DIGITS + " digits", start);
        }
        long value = Long.parseLong(text, start, at, 10);
        return isNegative ? -value : value;
    }

    private String string() {
        int start = at++;
        StringBuilder string = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return string.toString();
            }
            if (c == '\\') {
                if (!isNext('"') && !isNext('\\')) {
                    throw malformed("a quote or backslash", at);
                }
                c = text.charAt(at++);
            } else if (!isPrintable(c)) {
                throw malformed("a printable ASCII character", at - 1);
            }
            string.append(c);
        }
        throw malformed("a closing quote for the one at " + start, at);
    }

    private PartitionKey byteSequence() {
        int start = ++at;
        skip(c -> isAlpha(c) || isDigit(c) || c == '+' || c == '/' || c == '=');
        int end = at;
        expect(':', "a closing colon");
        try {
            return PartitionKey.of(Base64.getDecoder().decode(text.substring(start, end)));
        } catch (IllegalArgumentException noBase64) {
            throw malformed("Base64", start);
        }
    }

    private Object bool() {
        at++;
        if (!isNext('0') && !isNext('1')) {
            throw malformed("0 or 1", at);
        }
        at++;
        return FieldItem.OTHER;
    }

    private Object date() {
        int start = ++at;
        if (!(number() instanceof Long)) {
            throw malformed("a whole number", start);
        }
        return FieldItem.OTHER;
    }

    private Object displayString() {
        at++;
        int start = at;
        expect('"', "a quote");
        // No quote can be inside, so that each string takes only the room that it needs.
        ByteBuffer bytes = ByteBuffer.allocate(Math.max(0, text.indexOf('"', at) - at));
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                try {
                    StandardCharsets.UTF_8.newDecoder().decode(bytes.flip());
                } catch (CharacterCodingException e) {
                    throw malformed("UTF-8", start);
                }
                return FieldItem.OTHER;
            }
            if (!isPrintable(c) || !bytes.hasRemaining()) {
                throw malformed("a printable ASCII character, and a closing quote,", at - 1);
            }
            bytes.put(c == '%' ? (byte) (hexDigit() << 4 | hexDigit()) : (byte) c);
        }
        throw malformed("a closing quote for the one at " + start, at);
    }

    private int hexDigit() {
        char c = at < text.length() ? text.charAt(at) : ' ';
        if (!isDigit(c) && (c < 'a' || c > 'f')) {
            throw malformed("a lower-case hexadecimal digit", at);
        }
        at++;
        return Character.digit(c, 16);
    }

    private void expect(char c, String what) {
        if (!isNext(c)) {
            throw malformed(what, at);
        }
        at++;
    }

    private boolean isNext(char c) {
        return at < text.length() && text.charAt(at) == c;
    }

    private boolean isNext(IntPredicate kind) {
        return at < text.length() && kind.test(text.charAt(at));
    }

    private void skip(IntPredicate kind) {
        while (isNext(kind)) {
            at++;
        }
    }

    private void skipSpaces() {
        skip(c -> c == ' ');
    }

    private void skipBlanks() {
        skip(c -> c == ' ' || c == '\t');
    }

    /** Returns what to throw for a text that does not have the form. */
    IllegalArgumentException malformed(String expected, int position) {
        return new IllegalArgumentException(
                field + " must have " + expected + " at " + position + ", but was \"" + Text.printable(text) + "\"");
    }

    static boolean isPrintable(int c) {
        return c >= ' ' && c <= '~';
    }

    static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isLower(int c) {
        return c >= 'a' && c <= 'z';
    }

    private static boolean isAlpha(int c) {
        return isLower(c | 0x20) && c < 0x80;
    }
}
