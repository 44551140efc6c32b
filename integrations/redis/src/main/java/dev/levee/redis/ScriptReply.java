package dev.levee.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a script has answered: whole numbers, and texts in between, read in their order. Not thread-safe; handed from
 * the thread that decodes it to the one that reads it.
 */
final class ScriptReply {
    private long[] numbers = new long[16];
    private int count;
    private int numbersRead;
    private @Nullable List<String> texts;
    private int textsRead;

    private void add(long number) {
        if (count == numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * count);
        }
        numbers[count++] = number;
    }

    private void add(String text) {
        if (texts == null) {
            texts = new ArrayList<>();
        }
        texts.add(text);
    }

    /**
     * Returns the next number.
     *
     * @throws IllegalArgumentException if there is none
     */
    long number() {
        if (numbersRead == count) {
            throw new IllegalArgumentException("fewer numbers than expected");
        }
        return numbers[numbersRead++];
    }

    /**
     * Returns the next text.
     *
     * @throws IllegalArgumentException if there is none
     */
    String text() {
        if (texts == null || textsRead == texts.size()) {
            throw new IllegalArgumentException("fewer texts than expected");
        }
        return texts.get(textsRead++);
    }

    /**
     * Checks that nothing is left.
     *
     * @throws IllegalArgumentException if something is
     */
    void end() {
        if (numbersRead < count || (texts != null && textsRead < texts.size())) {
            throw new IllegalArgumentException("more than expected");
        }
    }

    @Override
    public String toString() {
        return Arrays.toString(Arrays.copyOf(numbers, count)) + (texts == null ? "" : " " + texts);
    }

    /** Decodes it. */
    static final class Output extends CommandOutput<byte[], byte[], ScriptReply> {
        Output() {
            super(ByteArrayCodec.INSTANCE, new ScriptReply());
        }

        @Override
        public void set(long integer) {
            output.add(integer);
        }

        @Override
        public void set(@Nullable ByteBuffer bytes) {
            output.add(
                    bytes == null ? "nil" : StandardCharsets.UTF_8.decode(bytes).toString());
        }
    }
}
