using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Waiting;

/// <summary>What a person sees while objects are waited for.</summary>
internal interface IWaitingView
{
    /// <summary>One is as awaited.</summary>
    void Done(Awaited one, string message);

    /// <summary>What is missing of one has changed.</summary>
    void Changed(Awaited one, string message);

    /// <summary>After each look at all that are left.</summary>
    /// <param name="left">Each with what is missing.</param>
    Task ShowAsync(IReadOnlyList<(Awaited One, string Message)> left, CancellationToken cancellationToken);
}

/// <summary>A line for each change: for files and pipes.</summary>
internal sealed class LineView(Terminal terminal) : IWaitingView
{
    public void Done(Awaited one, string message) => terminal.Note($"{one}: {message}");

    public void Changed(Awaited one, string message) => terminal.Note($"{one}: {message}");

    public Task ShowAsync(IReadOnlyList<(Awaited One, string Message)> left, CancellationToken cancellationToken) => Task.CompletedTask;
}
