using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Orchestrator.HostAgent.Engines;

/// <summary>
/// What every call of one host's engine goes through: retries with jitter where repeating is safe, a circuit breaker, a timeout
/// for each try, and metrics. One a host, for as long as the host is known: it outlives connections.
/// </summary>
internal sealed class EnginePipeline
{
    /// <summary>Two more tries within about a second; longer waits are the reconcile loop's, which decides anew each time.</summary>
    private const int Retries = 2;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);
    private static readonly ResiliencePropertyKey<EngineOperation> OperationKey = new("operation");

    private readonly string _host;
    private readonly TimeProvider _time;
    private readonly CircuitBreakerManualControl _breaker = new();
    private readonly ResiliencePipeline _calls;
    private readonly ResiliencePipeline _checks;

    public EnginePipeline(string host, TimeProvider time)
    {
        _host = host;
        _time = time;
        var timeout = new TimeoutStrategyOptions { TimeoutGenerator = static args => ValueTask.FromResult(OperationOf(args.Context).Timeout) };
        _calls = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = FirstDelay,
                ShouldHandle = static args => ValueTask.FromResult(MayRepeat(args.Outcome.Exception, OperationOf(args.Context))),
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 6,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = BreakDuration,
                ManualControl = _breaker,

                // A container that does not start says nothing against the engine.
                ShouldHandle = static args => ValueTask.FromResult(IsTransport(args.Outcome.Exception)),
            })
            .AddTimeout(timeout)
            .Build();

        // Ping and the first call of a connection find out whether the engine is there, and why not: a breaker in their way would
        // hide just that. Who makes them comes again by himself.
        _checks = new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(timeout).Build();
    }

    /// <param name="call">Throws only <see cref="EngineException"/>, or OperationCanceledException by its token.</param>
    public async Task<T> RunAsync<T>(EngineOperation operation, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(OperationKey, operation);
        try
        {
            var answer = await (operation.IsCheck ? _checks : _calls).ExecuteAsync(
                static (context, state) => new ValueTask<T>(state.Self.MeasureAsync(state.Operation, state.Call, context.CancellationToken)),
                context,
                (Self: this, Operation: operation, Call: call));
            if (operation.IsCheck)
            {
                // It answers: no call need wait for the breaker.
                await _breaker.CloseAsync(cancellationToken);
            }

            return answer;
        }
        catch (TimeoutRejectedException late)
        {
            throw new EngineException(
                EngineFailure.Unanswered, $"the engine did not answer to {operation.Name} within {operation.Timeout.TotalSeconds} s", late);
        }
        catch (BrokenCircuitException open)
        {
            throw new EngineException(
                EngineFailure.Unreachable, $"the engine failed too often just now; it is asked again within {BreakDuration.TotalSeconds} s", open);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static EngineOperation OperationOf(ResilienceContext context) => context.Properties.GetValue(OperationKey, EngineOperation.Ping);

    private static bool IsTransport(Exception? failure) => failure is TimeoutRejectedException or EngineException { IsTransport: true };

    private static bool MayRepeat(Exception? failure, EngineOperation operation) =>
        failure is EngineException { NeverSent: true, Failure: not (EngineFailure.Tls or EngineFailure.Ssh) } || (operation.Repeatable && IsTransport(failure)
            && failure is not EngineException { Failure: EngineFailure.Tls or EngineFailure.Ssh or EngineFailure.Incompatible });

    private async Task<T> MeasureAsync<T>(EngineOperation operation, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        try
        {
            return await call(cancellationToken);
        }
        catch (EngineException failure) when (failure.Failure is EngineFailure.NotFound or EngineFailure.Conflict)
        {
            throw;
        }
        catch
        {
            EngineMetrics.Errors.WithLabels(_host, operation.Name).Inc();
            throw;
        }
        finally
        {
            var seconds = _time.GetElapsedTime(started).TotalSeconds;
            EngineMetrics.Duration.WithLabels(operation.Name).Observe(seconds);
            EngineMetrics.HostDuration.WithLabels(_host).Observe(seconds);
        }
    }
}
