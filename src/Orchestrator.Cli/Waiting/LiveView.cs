using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Commands;
using Orchestrator.Runtime.Clients;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orchestrator.Cli.Waiting;

/// <summary>For a terminal: what is missing, and of an app each replica, drawn anew in its place.</summary>
internal sealed class LiveView(Session session, IAnsiConsole console, LiveDisplayContext display) : IWaitingView
{
    /// <summary>For people, who do not see more, and for the server, which lists all replicas each time.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Lines that stay for what was there before, and the one that says how many more there are.</summary>
    private const int Margin = 4;

    private readonly Dictionary<Awaited, ReplicaRows> _replicas = [];
    private long? _read;

    /// <summary>Above what moves.</summary>
    public void Done(Awaited one, string message) => console.WriteLine($"{one}: {message}");

    public void Changed(Awaited one, string message)
    {
        // Shown with the rest.
    }

    public async Task ShowAsync(IReadOnlyList<(Awaited One, string Message)> left, CancellationToken cancellationToken)
    {
        // One app in motion is what a screen can hold; the others have their line.
        if (_read is null || session.Time.GetElapsedTime(_read.Value) >= Pause)
        {
            await ReadAsync(left[0].One, cancellationToken);
            _read = session.Time.GetTimestamp();
        }

        display.UpdateTarget(new Rows(Parts(left)));
        display.Refresh();
    }

    private IEnumerable<IRenderable> Parts(IReadOnlyList<(Awaited One, string Message)> left)
    {
        var lines = Math.Max(console.Profile.Height - Margin, 1);
        foreach (var (one, message) in left.Take(lines))
        {
            yield return new Text($"{one}: {message}");
            if (one == left[0].One && _replicas.TryGetValue(one, out var rows))
            {
                yield return rows.Table(Math.Max(lines - left.Count, 1));
            }
        }
    }

    private async Task ReadAsync(Awaited one, CancellationToken cancellationToken)
    {
        if (one.Kind.Kind != WebApp.KubeKind)
        {
            return;
        }

        try
        {
            _replicas[one] = await ReplicaRows.ReadAsync(session, one, cancellationToken);
        }
        catch (Exception failure) when (failure is ApiException or CommandException)
        {
            // Those of before, or none: the line above says what there is to say.
        }
    }
}
