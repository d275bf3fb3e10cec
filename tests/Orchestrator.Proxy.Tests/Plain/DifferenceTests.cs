using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Plain;

/// <summary>
/// The same bytes to our plain way, to YARP, to HAProxy and to nginx: what the replica gets of a request, and the client of an answer, is the same, or the list
/// (Plain/testdata/differences.txt) says why not. The requests of Forwarding/testdata/malformed-requests.txt are among them.
/// </summary>
public sealed partial class DifferenceTests(DifferenceTests.Proxies proxies) : IClassFixture<DifferenceTests.Proxies>
{
    private static readonly string[] Others = ["yarp", "haproxy", "nginx"];

    private static readonly IReadOnlyDictionary<string, Case> All = Read();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Differ_where_the_list_says_so_and_nowhere_else(string name)
    {
        var one = All[name];
        proxies.Replica.Answer = one.Answer;
        var plain = await AskAsync(proxies.Plain, one);
        var differing = new List<string>();
        var seen = new StringBuilder($"\nplain: {plain}\n");
        foreach (var other in Others)
        {
            var outcome = await AskAsync(proxies.Of(other), one);
            if (outcome != plain)
            {
                differing.Add(other);
                seen.Append(CultureInfo.InvariantCulture, $"\n{other}: {outcome}\n");
            }
        }

        Assert.True(differing.SequenceEqual(Others.Where(one.Differences.ContainsKey)), seen.ToString());
    }

    private async Task<string> AskAsync(Uri proxy, Case one)
    {
        proxies.Replica.Requests.Clear();
        using var client = new TcpClient();
        await client.ConnectAsync(proxy.Host, proxy.Port, Cancellation);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(one.Request), Cancellation);
        var kind = one.Request.StartsWith("HEAD ", StringComparison.Ordinal) ? RawMessage.Kind.AnswerToHead : RawMessage.Kind.Answer;
        var answer = await RawMessage.ReadAsync(client.GetStream(), kind, Cancellation);
        var passedOn = string.Join("\nand\n", proxies.Replica.Requests);
        return passedOn.Length == 0 && answer is null or { Status: >= 400 } ? "refused"

            // How much of it was on its way by then is a matter of luck.
            : answer is null or { IsWhole: false } ? $"{passedOn}\n==> broken off"
            : answer.Status >= 500 ? $"{passedOn}\n==> no answer of the replica's"
            : $"{passedOn}\n==>\n{answer}";
    }

    private static Dictionary<string, Case> Read()
    {
        var differences = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Plain/testdata/differences.txt"));
        var malformed = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Forwarding/testdata/malformed-requests.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(" | ", 3));
        var cases = malformed.ToDictionary(parts => parts[0], parts => new Case(Unescape(parts[2])));
        var current = new Case("");
        foreach (var line in differences.Where(line => line.Length > 0 && line[0] != '#'))
        {
            var (key, value) = (line.Split(' ')[0], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            switch (key)
            {
                case "case":
                    current = cases.TryGetValue(value, out var known) ? known : cases[value] = new Case("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
                    break;
                case ">":
                    current.Request = Unescape(value);
                    break;
                case "<":
                    current.Answer = Unescape(value);
                    break;
                default:
                    current.Differences.Add(key.TrimEnd(':'), value);
                    break;
            }
        }

        return cases;
    }

    private static string Unescape(string text) => Escape().Replace(text, static escape => escape.Value switch
    {
        "\\r" => "\r",
        "\\n" => "\n",
        "\\t" => "\t",
        "\\0" => "\0",
        "\\\\" => "\\",
        ['\\', 'x', ..] => ((char)int.Parse(escape.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
        _ => new string(escape.Groups["letter"].Value[0], int.Parse(escape.Groups["times"].ValueSpan, CultureInfo.InvariantCulture)),
    });

    /// <summary>As in C, and <c>\{a*1000}</c> for a letter so many times.</summary>
    [GeneratedRegex(@"\\(?:[rnt0\\]|x[0-9a-f]{2}|\{(?<letter>.)\*(?<times>\d+)\})")]
    private static partial Regex Escape();

    private sealed record Case(string Text)
    {
        public string Request { get; set; } = Text;

        public string Answer { get; set; } = ScriptedReplica.Ok;

        /// <summary>By whom: why.</summary>
        public Dictionary<string, string> Differences { get; } = [];
    }

    public sealed class Proxies : IAsyncLifetime
    {
        private TestProxy _plain = null!;
        private TestProxy _yarp = null!;
        private RivalProxies _rivals = null!;

        internal ScriptedReplica Replica { get; } = new();

        public Uri Plain => _plain.Url;

        public Uri Of(string name) => name switch
        {
            "yarp" => _yarp.Url,
            "haproxy" => _rivals.Haproxy,
            _ => _rivals.Nginx,
        };

        public async ValueTask InitializeAsync()
        {
            _plain = await TestProxy.StartAsync();
            _plain.Serve(Replica.Id);

            // A replica that is told of its clients is asked by YARP.
            _yarp = await TestProxy.StartAsync();
            _yarp.ServeRoutes(new AppRoute(
                new(_yarp.Namespace, "web"), new Route { ProxyProtocol = ProxyProtocolVersions.V1 }, [new RouteClaim(null, null, "/")], [Replica.Id]));
            _rivals = await RivalProxies.StartAsync(Replica.Port);
        }

        public async ValueTask DisposeAsync()
        {
            await _plain.DisposeAsync();
            await _yarp.DisposeAsync();
            await _rivals.DisposeAsync();
            await Replica.DisposeAsync();
        }
    }
}
