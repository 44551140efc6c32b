package kotlin.coroutines;

/** What Kotlin's compiler gives a suspending function as its last parameter. */
public interface Continuation<T> {}
