using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Commands;

/// <summary>What the verbs under <c>orc top</c> have in common: which objects, in which order, printed how.</summary>
internal abstract class TopVerb : ApiCommand, IHasExamples
{
    private static readonly string[] Formats = [OutputFormats.Table, OutputFormats.Yaml, OutputFormats.Json, OutputFormats.Name];

    private readonly string _kind;
    private readonly string _plural;
    private readonly bool _namespaced;
    private readonly Option<bool> _all = CommonOptions.AllNamespaces();
    private readonly Option<string?> _labels = CommonOptions.Selector();
    private readonly Argument<string[]> _names = new("NAME") { Description = "Only these.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<string?> _sortBy = new("--sort-by") { Description = "What uses most comes first. [default: by name]" };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "How to print.",
        HelpName = string.Join('|', Formats),
        DefaultValueFactory = _ => OutputFormats.Table,
    };

    /// <param name="moreOrders">By which rows can be sorted, beside CPU and memory (<see cref="Measure"/>).</param>
    protected TopVerb(string name, string description, string kind, string plural, bool namespaced = true, params string[] moreOrders)
        : base(name, description, namespaced)
    {
        (_kind, _plural, _namespaced) = (kind, plural, namespaced);
        _names.CompletionSources.Add(Completions.Names(plural));
        string[] orders = [ResourceNeeds.Cpu, ResourceNeeds.Memory, .. moreOrders];
        _sortBy.HelpName = string.Join('|', orders);
        _sortBy.AcceptOnlyFromAmong(orders);
        _output.AcceptOnlyFromAmong(Formats);
        Arguments.Add(_names);
        Options.Add(_output);
        Options.Add(_sortBy);
        Options.Add(_labels);
        if (namespaced)
        {
            Options.Add(_all);
        }
    }

    public abstract IReadOnlyList<string> Examples { get; }

    /// <summary>The kind of what is printed as JSON and YAML; it is none that a server has.</summary>
    protected abstract string UsageKind { get; }

    /// <summary>Whether there are columns for what proxies see.</summary>
    protected virtual bool WithTraffic => false;

    /// <param name="isAskedFor">By name.</param>
    protected abstract Task<IEnumerable<UsageRow>> RowsAsync(
        ListScope scope, Func<string, bool> isAskedFor, Session session, CancellationToken cancellationToken);

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var (names, labels, all) = (line.GetValue(_names) ?? [], line.GetValue(_labels), _namespaced && line.GetValue(_all));
        if (names.Length > 0 && (labels is not null || all))
        {
            throw CommandException.Usage(_namespaced ? "a name goes with neither a selector nor --all-namespaces" : "a name does not go with a selector");
        }

        var asked = names.Select(ResourceKind.RequireName).ToHashSet();
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, _kind, cancellationToken);
        var scope = new ListScope(kind, all ? null : session.NamespaceFor(kind), null, labels, null);
        var rows = Sort(await RowsAsync(scope, name => asked.Count == 0 || asked.Contains(name), session, cancellationToken), line.GetValue(_sortBy));
        Print(rows, kind, line.GetValue(_output)!, all, session);
        var missing = asked.Except(rows.Select(row => row.Name)).Order(StringComparer.Ordinal).ToList();
        missing.ForEach(name => session.Terminal.Fail($"{_plural}.{ApiGroup.Name} \"{name}\" not found"));
        return missing.Count > 0 ? ExitCodes.NotFound : ExitCodes.Done;
    }

    /// <summary>All Replicas of a scope's namespace.</summary>
    protected static async Task<List<Replica>> ReplicasAsync(string? @namespace, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken);
        return await ListScope.ReadAllAsync<Replica>(session.Api, new ListScope(kind, @namespace, null, null, null), cancellationToken);
    }

    /// <summary>What a row is sorted by, the highest first; null: not known, and last.</summary>
    protected virtual double? Measure(UsageRow row, string order) => (double?)(order == ResourceNeeds.Cpu ? row.CpuCores : row.MemoryBytes);

    private List<UsageRow> Sort(IEnumerable<UsageRow> rows, string? by)
    {
        var named = rows.OrderBy(row => row.Namespace, StringComparer.Ordinal).ThenBy(row => row.Name, StringComparer.Ordinal);
        return by is null ? [.. named] : [.. named.OrderByDescending(row => Measure(row, by) ?? -1)];
    }

    private void Print(List<UsageRow> rows, ResourceKind kind, string format, bool all, Session session)
    {
        if (format != OutputFormats.Table)
        {
            new ObjectPrinter(session.Terminal, format).WriteList([.. rows.Select(row => (kind, row.ToJson(UsageKind)))]);
        }
        else if (rows.Count > 0)
        {
            UsageTable.Write(session.Terminal, rows, all, single: _kind == Replica.KubeKind, WithTraffic);
        }
        else
        {
            session.Terminal.Note(_namespaced && !all ? $"No {_plural} in namespace {session.Namespace}." : $"No {_plural}.");
        }
    }
}
