namespace Orchestrator.HostAgent.Engines;

/// <summary>Makes a call fail only as <see cref="IEngine"/> promises.</summary>
internal static class EngineCalls
{
    public static Func<CancellationToken, Task<T>> Guard<T>(
        Func<CancellationToken, Task<T>> call, EngineDialer dialer, EngineCertificates? certificates) =>
        async token =>
        {
            try
            {
                return await call(token);
            }
            catch (Exception failure) when (token.IsCancellationRequested && failure is not EngineException)
            {
                // A cancelled call may surface as whatever the broken stream threw.
                throw new OperationCanceledException("the call was given up", failure, token);
            }
            catch (Exception failure) when (failure is not EngineException
                && EngineErrors.Classify(failure, dialer, certificates) is { } classified)
            {
                throw classified;
            }
        };
}
