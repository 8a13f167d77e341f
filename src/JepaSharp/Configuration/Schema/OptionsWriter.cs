using System.Text;

namespace JepaSharp.Configuration.Schema;

/// <summary>Options as a complete YAML document: sections and keys in the order of the records, line feeds on every machine.</summary>
internal static class OptionsWriter
{
    public static string Write(PretrainOptions options)
    {
        var yaml = new StringBuilder();
        foreach (var section in OptionSection.All)
        {
            yaml.Append(section.Name).Append(":\n");
            var values = section.Get(options);
            foreach (var key in section.Keys)
                yaml.Append("  ").Append(key.Name).Append(": ").Append(OptionValue.Write(key.Get(values))).Append('\n');
        }
        return yaml.ToString();
    }
}
