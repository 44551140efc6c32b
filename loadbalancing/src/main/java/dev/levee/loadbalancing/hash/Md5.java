package dev.levee.loadbalancing.hash;

import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** Computes the first word of an MD5 digest, by the digest of the JDK, of which each thread keeps one. */
final class Md5 {
    /** Weak, so that no thread holds the class loader of this library when it is not needed any more. */
    private static final ThreadLocal<@Nullable WeakReference<Md5>> MINE = new ThreadLocal<>();

    private final MessageDigest digest = digest();
    private final byte[] result = new byte[16];

    private Md5() {}

    private static Md5 ofThread() {
        WeakReference<Md5> reference = MINE.get();
        Md5 found = reference == null ? null : reference.get();
        if (found == null) {
            found = new Md5();
            MINE.set(new WeakReference<>(found));
        }
        return found;
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static long of(byte[] bytes) {
        Md5 md5 = ofThread();
        md5.digest.update(bytes);
        return md5.first();
    }

    static long of(CharSequence text) {
        Md5 md5 = ofThread();
        int length = text.length();
        for (int i = 0; i < length; i++) {
            int code = Utf8Hash.codeAt(text, i);
            i += code >>> 16 == 0 ? 0 : 1;
            int bytes = Utf8Hash.encode(code);
            for (int left = Utf8Hash.size(code); left > 0; left--, bytes >>>= 8) {
                md5.digest.update((byte) bytes);
            }
        }
        return md5.first();
    }

    private long first() {
        try {
            digest.digest(result, 0, result.length);
        } catch (DigestException itFits) {
            throw new IllegalStateException(itFits);
        }
        return word(result, 0);
    }

    static long word(byte[] bytes, int at) {
        return (bytes[at] & 0xFFL)
                | (bytes[at + 1] & 0xFFL) << 8
                | (bytes[at + 2] & 0xFFL) << 16
                | (bytes[at + 3] & 0xFFL) << 24;
    }
}
