using System.CommandLine;
using Orchestrator.Cli.Commands;

namespace Orchestrator.Cli.Tests.Commands;

public sealed class HelpTests
{
    public static TheoryData<string> Commands => [.. Paths(Orc.Create(), "")];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_default_is_told_once_and_as_it_is_typed(string command)
    {
        using var text = new StringWriter();
        Orc.Create().Parse($"{command} --help").Invoke(new InvocationConfiguration { Output = text });

        // An option's text may go on in the next line.
        Assert.DoesNotMatch(@"\[default: [^]]*\]\s*\[default:", text.ToString());
        Assert.DoesNotMatch(@"[0-9]{2}:[0-9]{2}:[0-9]{2}", text.ToString());
    }

    [Theory]
    [InlineData("apply", "How long to wait, such as 90s or 2m. [default: 5m]")]
    [InlineData("serve", "How long requests in flight get when the proxy stops. [default: 30s]")]
    [InlineData("serve", "Where /metrics, /healthz and /readyz are. [default: 127.0.0.1:9180]")]
    [InlineData("logs", "Only lines younger than this, such as 10m. [default: all]")]
    public void Defaults_are_told(string command, string says)
    {
        using var text = new StringWriter();
        Orc.Create().Parse($"{command} --help").Invoke(new InvocationConfiguration { Output = text });

        Assert.Contains(says, string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Paths(System.CommandLine.Command command, string path) =>
        command.Subcommands.SelectMany(inner => Paths(inner, $"{path} {inner.Name}".Trim())).Prepend(path);
}
