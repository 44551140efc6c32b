/**
 * A live page of the policies of a process: {@link dev.levee.console.Console} serves it on the loopback interface.
 *
 * @see dev.levee.console.Console#start(int)
 */
@NullMarked
package dev.levee.console;

import org.jspecify.annotations.NullMarked;
