package dev.levee.examples.shortlink.node;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The code of a link: the first characters of a hash of its URL.
 *
 * <p>A function of the URL and nothing else, so a request to shorten can be repeated, on any node, without making a
 * second link: this is what allows the front to retry a POST.
 */
public final class Code {
    /** How long a code is: 62^8 are 218 million million. */
    public static final int LENGTH = 8;

    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private Code() {}

    /**
     * The code of a URL.
     *
     * @param url the URL
     * @param salt 0, or one more each time another URL has the code already
     * @return the code
     */
    public static String of(String url, int salt) {
        byte[] hash = sha256().digest((salt == 0 ? url : salt + " " + url).getBytes(StandardCharsets.UTF_8));
        long bits = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            bits = bits << 8 | (hash[i] & 0xff);
        }
        StringBuilder code = new StringBuilder(LENGTH);
        for (int i = 0; i < LENGTH; i++) {
            code.append(DIGITS.charAt((int) Long.remainderUnsigned(bits, DIGITS.length())));
            bits = Long.divideUnsigned(bits, DIGITS.length());
        }
        return code.toString();
    }

    /**
     * Whether a text looks like a code, so that it is worth a look into the database.
     *
     * @param text the text
     * @return whether it has the length and the characters of one
     */
    public static boolean isOne(String text) {
        return text.length() == LENGTH && text.chars().allMatch(c -> DIGITS.indexOf(c) >= 0);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
