using System.Globalization;
using System.Xml.Linq;
using JepaSharp.Reports;

namespace JepaSharp.Tests.Reports;

/// <summary>Numbers at a chart's axes, and the room they have.</summary>
public sealed class AxisLabelTests
{
    // The widest of usual letters: 12 high, a digit takes 0.636 of that, a point 0.318, a hyphen 0.361 (DejaVu Sans).
    private const double Digit = 7.63, Point = 3.82, Hyphen = 4.33, TitleAscent = 12 * 0.76, TitleDescent = 12 * 0.24;

    [Theory]
    [InlineData("weight decay", 0.0400669936, 0.04113)]
    [InlineData("momentum", 0.99, 0.99021)]
    [InlineData("momentum", 0.99901, 0.999999)]
    [InlineData("learning rate", 0.0003999, 0.00101)]
    [InlineData("learning rate", 1e-7, 5e-7)]
    [InlineData("loss", 0.02, 1500)]
    [InlineData("images / s", 12345, 99999)]
    [InlineData("value", -1234.5, 0.5)]
    public void Numbers_AtAnAxis_NeitherTouchItsTitleNorTheEdge(string unit, double low, double high)
    {
        var chart = new LineChart(unit, unit, "", byRatio: unit == "loss").Add(new ChartLine("a", [(1, low), (123456, high)], 1));
        var svg = XElement.Parse(chart.ToHtml()).Element("svg")!;
        var width = Number(svg.Attribute("viewBox")!.Value.Split(' ')[2]);
        var texts = svg.Elements("text").ToList();
        var title = texts.Single(text => text.Attribute("transform") is not null);
        var (titleStart, titleEnd) = (Number(title, "x") - TitleAscent, Number(title, "x") + TitleDescent);
        Assert.True(titleStart >= 0, $"the title begins at {titleStart}");
        var numbers = texts.Where(text => text.Attribute("class")!.Value == "tick").ToList();
        foreach (var number in numbers.Where(text => text.Attribute("text-anchor")!.Value == "end"))
            Assert.True(Number(number, "x") - Width(number.Value) >= titleEnd, $"{number.Value} runs over {unit}");
        foreach (var number in numbers.Where(text => text.Attribute("text-anchor")!.Value == "middle"))
            Assert.True(Number(number, "x") + (Width(number.Value) / 2) <= width + 0.5, $"{number.Value} runs over the edge");
        var ofValues = numbers.Where(text => text.Attribute("text-anchor")!.Value == "end").Select(text => text.Value).ToList();
        Assert.Equal(ofValues.Distinct(), ofValues);
    }

    private static double Width(string text) => text.Sum(letter => letter is '.' or ',' ? Point : letter == '-' ? Hyphen : Digit);

    private static double Number(XElement element, string attribute) => Number(element.Attribute(attribute)!.Value);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
