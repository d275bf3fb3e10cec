using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Orchestrator.Testing;

/// <summary>
/// Waiting for what must come about, by looking again and again up to a deadline: the one place in the tests where real time
/// passes. Fails with what was last seen.
/// </summary>
public static class Eventually
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    /// <param name="look">May throw; the exception counts as not yet.</param>
    /// <param name="holds">Whether what was seen is what is awaited.</param>
    /// <param name="within">Default 30 s: generous, since it only costs when the test fails.</param>
    /// <returns>The first thing seen that holds.</returns>
    /// <exception cref="TimeoutException">The deadline passed; the message says what was last seen.</exception>
    public static async Task<T> See<T>(
        Func<Task<T>> look,
        Func<T, bool> holds,
        TimeSpan? within = null,
        [CallerArgumentExpression(nameof(holds))] string condition = "")
    {
        var limit = within ?? TimeSpan.FromSeconds(30);
        var watch = Stopwatch.StartNew();
        var pause = FirstPause;
        while (true)
        {
            object? seen;
            try
            {
                var value = await look();
                if (holds(value))
                {
                    return value;
                }

                seen = value;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                seen = failure;
            }

            if (watch.Elapsed > limit)
            {
                throw new TimeoutException($"not within {limit}: {condition}; last seen: {seen}", seen as Exception);
            }

            await Task.Delay(pause, TimeProvider.System);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <inheritdoc cref="See{T}(Func{Task{T}}, Func{T, bool}, TimeSpan?, string)"/>
    public static Task<T> See<T>(
        Func<T> look, Func<T, bool> holds, TimeSpan? within = null, [CallerArgumentExpression(nameof(holds))] string condition = "") =>
        See(() => Task.FromResult(look()), holds, within, condition);

    public static Task True(Func<bool> holds, TimeSpan? within = null, [CallerArgumentExpression(nameof(holds))] string condition = "") =>
        See(holds, static seen => seen, within, condition);

    public static Task True(Func<Task<bool>> holds, TimeSpan? within = null, [CallerArgumentExpression(nameof(holds))] string condition = "") =>
        See(holds, static seen => seen, within, condition);
}
