package dev.levee.core.internal;

import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Which results end later than the method that returned them. See ADR 69. */
public final class LaterResults {
    /** Results that are computed later, of libraries on which core does not depend. */
    private static final Set<String> FOREIGN = Set.of(
            "org.reactivestreams.Publisher",
            "com.twitter.util.Future",
            "io.reactivex.CompletableSource",
            "io.reactivex.MaybeSource",
            "io.reactivex.ObservableSource",
            "io.reactivex.SingleSource",
            "io.reactivex.rxjava3.core.CompletableSource",
            "io.reactivex.rxjava3.core.MaybeSource",
            "io.reactivex.rxjava3.core.ObservableSource",
            "io.reactivex.rxjava3.core.SingleSource",
            "io.smallrye.mutiny.Uni",
            "io.vavr.concurrent.Future",
            "io.vertx.core.Future",
            "kotlinx.coroutines.Job",
            "kotlinx.coroutines.flow.Flow",
            "okhttp3.Call",
            "retrofit2.Call",
            "rx.Completable",
            "rx.Observable",
            "rx.Single",
            "scala.concurrent.Future");

    /** For each class that was returned whether its objects may end later than the method that returned them. */
    private static final ClassValue<Boolean> ENDS_LATER = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return CompletionStage.class.isAssignableFrom(type)
                    || Future.class.isAssignableFrom(type)
                    || isStream(type);
        }
    };

    private LaterResults() {}

    /**
     * Returns whether a result ends later in a way that a future cannot stand for.
     *
     * @param type what a method returns
     * @return true for publishers and results of libraries that are known by name
     */
    public static boolean isStream(Class<?> type) {
        return Flow.Publisher.class.isAssignableFrom(type) || isNamed(type, FOREIGN);
    }

    /**
     * Returns whether an object of a class may end later than the method that returned it.
     *
     * @param type the class of the object
     * @return true for stages and futures too
     */
    public static boolean endsLater(Class<?> type) {
        return ENDS_LATER.get(type);
    }

    /**
     * Returns whether a type or one above it has one of some names.
     *
     * @param type the type, or null for none
     * @param names of types that need not be there
     * @return whether it has
     */
    public static boolean isNamed(@Nullable Class<?> type, Set<String> names) {
        if (type == null) {
            return false;
        }
        if (names.contains(type.getName()) || isNamed(type.getSuperclass(), names)) {
            return true;
        }
        for (Class<?> parent : type.getInterfaces()) {
            if (isNamed(parent, names)) {
                return true;
            }
        }
        return false;
    }
}
