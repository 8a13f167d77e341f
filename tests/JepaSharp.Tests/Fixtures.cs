using System.Text.Json;

namespace JepaSharp.Tests;

/// <summary>Small recorded numbers that live in the repository.</summary>
internal static class Fixtures
{
    /// <summary>Mask statistics, schedules and position tables of the published implementation.</summary>
    public static JsonElement ReferenceNumbers { get; } = JsonDocument.Parse(File.ReadAllText(PathOf("reference_numbers.json"))).RootElement;

    /// <summary>Path of a fixture beside the tests.</summary>
    public static string PathOf(string relative) => Path.Combine(AppContext.BaseDirectory, "Fixtures", relative);
}
