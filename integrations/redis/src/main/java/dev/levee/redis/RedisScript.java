package dev.levee.redis;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;

/**
 * A script that runs in Redis: by its digest, and once with its text if the server does not have it, because it was
 * restarted or flushed, or is another one. It brings its own codec, so the codec of the connection does not matter.
 */
final class RedisScript {
    private final byte[] text;
    private final byte[] digest;

    RedisScript(String text) {
        this.text = text.getBytes(StandardCharsets.UTF_8);
        this.digest = HexFormat.of().formatHex(digest("SHA-1", this.text)).getBytes(StandardCharsets.US_ASCII);
    }

    /** Returns the text of a script that has several parts. */
    static String text(String... resources) {
        StringBuilder text = new StringBuilder();
        for (String resource : resources) {
            try (InputStream in = RedisScript.class.getResourceAsStream(resource)) {
                if (in == null) {
                    throw new IllegalStateException(resource + " is not beside " + RedisScript.class.getName());
                }
                text.append(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return text.toString();
    }

    static byte[] digest(String algorithm, byte[] bytes) {
        try {
            return MessageDigest.getInstance(algorithm).digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs the script. A future that is cancelled calls the command off, so that it is not sent any more. */
    CompletableFuture<ScriptReply> run(StatefulConnection<?, ?> connection, byte[][] keys, byte[][] arguments) {
        Run run = new Run(connection, keys, arguments);
        run.send(CommandType.EVALSHA, digest);
        return run;
    }

    private final class Run extends CompletableFuture<ScriptReply> {
        private final StatefulConnection<?, ?> connection;
        private final byte[][] keys;
        private final byte[][] arguments;

        /** The command that is on its way. */
        private volatile CompletableFuture<ScriptReply> command = this;

        Run(StatefulConnection<?, ?> connection, byte[][] keys, byte[][] arguments) {
            this.connection = connection;
            this.keys = keys;
            this.arguments = arguments;
        }

        @SuppressWarnings("unchecked") // the command has its own codec and output
        void send(CommandType type, byte[] script) {
            CommandArgs<byte[], byte[]> args =
                    new CommandArgs<>(ByteArrayCodec.INSTANCE).add(script).add(keys.length);
            for (byte[] key : keys) {
                args.addKey(key);
            }
            for (byte[] argument : arguments) {
                args.add(argument);
            }
            AsyncCommand<byte[], byte[], ScriptReply> sent =
                    new AsyncCommand<>(new Command<>(type, new ScriptReply.Output(), args));
            command = sent;
            try {
                ((StatefulConnection<byte[], byte[]>) connection).dispatch(sent);
            } catch (RuntimeException notSent) {
                completeExceptionally(notSent);
                return;
            }
            sent.whenComplete((answer, error) -> {
                if (error == null) {
                    complete(answer);
                } else if (type == CommandType.EVALSHA && error instanceof RedisNoScriptException && !isDone()) {
                    send(CommandType.EVAL, text);
                } else {
                    completeExceptionally(error);
                }
            });
            if (isCancelled()) {
                sent.cancel(false);
            }
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            boolean cancelled = super.cancel(mayInterrupt);
            if (cancelled && command != this) {
                command.cancel(false);
            }
            return cancelled;
        }
    }
}
