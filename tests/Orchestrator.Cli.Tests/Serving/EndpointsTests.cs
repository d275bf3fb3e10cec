using System.CommandLine;
using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Tests.Serving;

public sealed class EndpointsTests
{
    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1:80")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData(":80", "[::]:80")]
    [InlineData("80", "[::]:80")]
    public void Addresses_are_read_as_they_are_typed(string text, string endpoint) => Assert.Equal(endpoint, Endpoints.Parse(text)?.ToString());

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("localhost:80")]
    [InlineData(":99999")]
    [InlineData("")]
    public void What_is_none_is_none(string text) => Assert.Null(Endpoints.Parse(text));

    [Theory]
    [InlineData("--at none", null)]
    [InlineData("--at :81", "[::]:81")]
    [InlineData("", "[::]:80")]
    public void An_option_takes_none_for_an_answer(string line, string? endpoint)
    {
        var option = Endpoints.Option("--at", "Where.", ":80", optional: true);

        var parsed = new RootCommand { option }.Parse(line);

        Assert.Empty(parsed.Errors);
        Assert.Equal(endpoint, parsed.GetValue(option).Endpoint?.ToString());
    }
}
