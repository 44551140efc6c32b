package dev.levee.redis.cache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two connections to a server, and commands on them that end in time.
 *
 * <p>A command that is given up is cancelled, so that Lettuce does not send it after a reconnect: what its caller knows
 * to have failed must not happen later.
 */
final class TierLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TwoTierCache.class);

    private final String cache;
    private final String server;
    private final RedisClient client;
    private final Environment environment;
    private final long timeoutNanos;
    private final TierGate gate;

    private static final Pattern DATABASE = Pattern.compile("\\bdb=(\\d{1,9})\\b");

    /** Known before there is a connection for commands. */
    private volatile int database;

    private volatile @Nullable StatefulRedisConnection<byte[], byte[]> commands;
    private volatile @Nullable StatefulRedisPubSubConnection<byte[], byte[]> listening;
    private volatile boolean closed;

    /** Whether the loss of Redis is in the log. */
    private volatile boolean gone;

    TierLink(String cache, String server, RedisClient client, RedisTier<?, ?> tier, Environment environment) {
        this.cache = cache;
        this.server = server;
        this.client = client;
        this.environment = environment;
        this.timeoutNanos = Nanos.of(tier.timeout);
        this.gate = new TierGate(environment.clock(), Nanos.of(tier.retryAfter));
    }

    /** A command. */
    @FunctionalInterface
    interface Command<T> {
        RedisFuture<T> on(RedisAsyncCommands<byte[], byte[]> commands);
    }

    /** Connects what is not connected; blocks. Lettuce connects again by itself what was connected once. */
    @Nullable StatefulRedisPubSubConnection<byte[], byte[]> connect() {
        if (closed) {
            return null;
        }
        try {
            if (commands == null) {
                StatefulRedisConnection<byte[], byte[]> made = client.connect(ByteArrayCodec.INSTANCE);
                database = database(made);
                made.addListener(new RedisConnectionStateListener() {
                    @Override
                    public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
                        gate.succeeded();
                    }

                    @Override
                    public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
                        gate.shut();
                    }
                });
                commands = made;
            }
            if (listening == null) {
                listening = client.connectPubSub(ByteArrayCodec.INSTANCE);
            }
            if (closed) {
                close();
            }
        } catch (RuntimeException unreachable) {
            gate.shut();
            report(unreachable);
        }
        return listening;
    }

    /** Asks for the number of the database; it is taken for the first one if the user has no right to ask. */
    private int database(StatefulRedisConnection<byte[], byte[]> of) {
        boolean isKnown = false;
        try {
            Matcher number = DATABASE.matcher(await(of.async().clientInfo()));
            isKnown = true;
            return number.find() ? Integer.parseInt(number.group(1)) : 0;
        } catch (RedisCommandExecutionException refused) {
            SafeLog.debug(LOG, "cache \"{}\": server \"{}\" did not say its database", cache, server, refused);
            isKnown = true;
            return 0;
        } catch (TimeoutException late) {
            throw new IllegalStateException("it did not say its database", late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while it was asked for its database", interrupted);
        } finally {
            if (!isKnown) {
                of.closeAsync();
            }
        }
    }

    /** Returns the number of the database that the client has chosen. */
    int database() {
        return database;
    }

    /**
     * Returns the connection for commands.
     *
     * @param trusted whether the channel is, whose connection the server tells of changes of what is read by it
     */
    @Nullable StatefulRedisConnection<byte[], byte[]> connection(boolean trusted) {
        return trusted ? listening : commands;
    }

    /** Runs a script, and waits for its answer. */
    List<Object> run(
            @Nullable StatefulRedisConnection<byte[], byte[]> connection,
            TierScript script,
            byte[][] keys,
            byte[]... arguments)
            throws TierGoneException, InterruptedException {
        ScriptCall call = new ScriptCall(script, keys, arguments);
        try {
            return call(connection, call::on);
        } catch (RedisNoScriptException unknown) { // the server was started again, or its scripts were flushed
            return call(connection, call::inFull);
        }
    }

    /** Sends a script, and does not wait for its answer. */
    void send(TierScript script, byte[][] keys, byte[]... arguments) {
        StatefulRedisConnection<byte[], byte[]> connection = commands;
        if (connection != null && !gate.isShut()) {
            new ScriptCall(script, keys, arguments).inFull(connection.async());
        }
    }

    private static final class ScriptCall {
        private final TierScript script;
        private final byte[][] keys;
        private final byte[][] arguments;

        ScriptCall(TierScript script, byte[][] keys, byte[][] arguments) {
            this.script = script;
            this.keys = keys;
            this.arguments = arguments;
        }

        RedisFuture<List<Object>> on(RedisAsyncCommands<byte[], byte[]> commands) {
            return commands.evalsha(script.digest, ScriptOutputType.MULTI, keys, arguments);
        }

        RedisFuture<List<Object>> inFull(RedisAsyncCommands<byte[], byte[]> commands) {
            return commands.eval(script.text, ScriptOutputType.MULTI, keys, arguments);
        }
    }

    <T> T call(@Nullable StatefulRedisConnection<byte[], byte[]> connection, Command<T> command)
            throws TierGoneException, InterruptedException {
        if (!gate.tryEnter()) {
            throw new TierGoneException("server \"" + server + "\" does not answer, and is not asked for a while");
        }
        if (connection == null) {
            gate.shut();
            throw new TierGoneException("server \"" + server + "\" was not reached yet");
        }
        boolean ended = false;
        try {
            T answer = await(command.on(connection.async()));
            ended = true;
            gate.succeeded();
            if (gone) {
                gone = false;
                SafeLog.info(LOG, "cache \"{}\": server \"{}\" answers again", cache, server);
            }
            return answer;
        } catch (InterruptedException | RedisNoScriptException ofCaller) {
            ended = true; // says nothing bad about the server; a gate that is shut lets another call try in a while
            throw ofCaller;
        } catch (OwnDeadlineException ofCaller) {
            ended = true;
            throw new TierGoneException("server \"" + server + "\" had no time to answer", ofCaller);
        } catch (TimeoutException | RuntimeException failure) {
            report(failure);
            throw new TierGoneException("server \"" + server + "\" failed: " + Text.ofThrown(failure), failure);
        } finally {
            if (!ended) {
                gate.failed();
            }
        }
    }

    /** Runs a script without a wait; when it has ended, tells so on the thread of the client. */
    CompletableFuture<List<Object>> begin(
            StatefulRedisConnection<byte[], byte[]> connection, TierScript script, byte[][] keys, byte[]... arguments) {
        return new ScriptCall(script, keys, arguments)
                .inFull(connection.async())
                .toCompletableFuture();
    }

    private <T> T await(RedisFuture<T> sent) throws TimeoutException, InterruptedException {
        CompletableFuture<T> answer = sent.toCompletableFuture();
        if (!answer.isDone()) {
            Thread caller = Thread.currentThread();
            answer.whenComplete((value, failure) -> LockSupport.unpark(caller));
            Deadline own = CallContext.current().deadline();
            long patience = own == null ? timeoutNanos : Math.min(timeoutNanos, Math.max(0, own.remainingNanos()));
            long until = environment.clock().nanoTime() + patience;
            while (!answer.isDone()) {
                if (Thread.interrupted()) {
                    answer.cancel(false);
                    throw new InterruptedException();
                }
                long left = until - environment.clock().nanoTime();
                if (left <= 0) {
                    answer.cancel(false);
                    String late = "no answer within " + Nanos.text(patience);
                    throw patience < timeoutNanos ? new OwnDeadlineException(late) : new TimeoutException(late);
                }
                environment.scheduler().park(this, left);
            }
        }
        try {
            return answer.join();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
        }
    }

    private void report(Throwable failure) {
        if (!gone) {
            gone = true;
            SafeLog.warn(
                    LOG,
                    "cache \"{}\": server \"{}\" failed; further failures are not logged until it answers again",
                    cache,
                    server,
                    failure);
        }
    }

    @Override
    public void close() {
        closed = true;
        StatefulRedisConnection<byte[], byte[]> first = commands;
        if (first != null) {
            first.closeAsync();
        }
        StatefulRedisPubSubConnection<byte[], byte[]> second = listening;
        if (second != null) {
            second.closeAsync();
        }
    }

    /** The deadline of a caller has passed, which is before the time that the server has. */
    private static final class OwnDeadlineException extends TimeoutException {
        private static final long serialVersionUID = 1L;

        OwnDeadlineException(String message) {
            super(message);
        }
    }
}
