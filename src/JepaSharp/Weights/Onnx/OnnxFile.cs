using System.Reflection;
using JepaSharp.Runtime;

namespace JepaSharp.Weights.Onnx;

/// <summary>Writes a graph as an ONNX file, one constant in memory at a time.</summary>
internal static class OnnxFile
{
    /// <summary>Operators of version 17 (ONNX 1.12 of 2022, the first with LayerNormalization); files of representation 8, which came with
    /// it.</summary>
    public const int OperatorSet = 17, Representation = 8;

    /// <summary>Bytes of constants up to which they stand in the file itself: a message of protocol buffers is at most 2 GiB.</summary>
    public const long LargestInside = 2_000_000_000;

    /// <summary>What constants beside a file are called after it.</summary>
    public const string DataExtension = ".data";

    private const int Small = 1024; // bytes: sizes and axes, which ONNX Runtime wants in the file itself
    private const int Page = 4096; // where numbers beside the file begin, so that they can be mapped

    /// <summary>Writes the file, and beside it <c>PATH.data</c> where the constants are too many for it.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="graph">What it computes.</param>
    /// <param name="texts">What is said of it.</param>
    /// <param name="largestInside">Bytes of constants that the file itself may hold.</param>
    /// <returns>Every file that was written, the model first.</returns>
    /// <exception cref="WeightsFileException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(
        string path, OnnxGraph graph, IReadOnlyDictionary<string, string> texts, long largestInside = LargestInside)
    {
        var inside = graph.Constants.Sum(constant => constant.ByteCount) <= largestInside;
        var beside = path + DataExtension;
        if (!inside) DurableFile.Write(beside, stream => WriteBeside(stream, graph.Constants));
        DurableFile.Write(path, stream => WriteModel(stream, graph, texts, inside ? null : Path.GetFileName(beside)));
        return inside ? [path] : [path, beside];
    }

    private static void WriteModel(Stream stream, OnnxGraph graph, IReadOnlyDictionary<string, string> texts, string? beside)
    {
        const int Node = 1, Name = 2, Initializer = 5, Input = 11, Output = 12; // of GraphProto
        var head = new OnnxMessage();
        foreach (var node in graph.Nodes) head.Inner(Node, node);
        head.Text(Name, "encoder");
        var constants = new List<(OnnxMessage Head, OnnxConstant Constant)>();
        var offset = 0L;
        foreach (var constant in graph.Constants)
        {
            var behind = IsInside(constant, beside) ? constant.ByteCount : 0;
            var described = Described(constant, behind > 0 ? null : beside, offset);
            constants.Add((new OnnxMessage().Begin(Initializer, described.Length + behind).Raw(described), constant));
            if (behind == 0) offset = NextPage(offset + constant.ByteCount);
        }

        var tail = new OnnxMessage();
        foreach (var input in graph.Inputs) tail.Inner(Input, input);
        foreach (var output in graph.Outputs) tail.Inner(Output, output);
        var inside = graph.Constants.Where(c => IsInside(c, beside)).Sum(c => c.ByteCount);
        BeforeGraph().Begin(7, head.Length + constants.Sum(c => c.Head.Length) + inside + tail.Length).WriteTo(stream);
        head.WriteTo(stream);
        foreach (var (described, constant) in constants)
        {
            described.WriteTo(stream);
            if (IsInside(constant, beside)) stream.Write(Bytes(constant));
        }

        tail.WriteTo(stream);
        AfterGraph(texts).WriteTo(stream);
    }

    /// <summary>TensorProto without its numbers, which follow, or which lie in a file beside.</summary>
    private static OnnxMessage Described(OnnxConstant constant, string? beside, long offset)
    {
        const int Dimension = 1, Type = 2, Name = 8, Raw = 9, External = 13, Location = 14;
        var described = new OnnxMessage().Numbers(Dimension, constant.Shape).Number(Type, (long)constant.Type).Text(Name, constant.Name);
        return beside is null
            ? described.Begin(Raw, constant.ByteCount)
            : described.Inner(External, Entry("location", beside)).Inner(External, Entry("offset", $"{offset}"))
                .Inner(External, Entry("length", $"{constant.ByteCount}")).Number(Location, 1);
    }

    private static OnnxMessage BeforeGraph()
    {
        var version = typeof(OnnxFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        return new OnnxMessage().Number(1, Representation).Text(2, "JepaSharp").Text(3, version.Split('+')[0]);
    }

    private static OnnxMessage AfterGraph(IReadOnlyDictionary<string, string> texts)
    {
        var after = new OnnxMessage().Inner(8, new OnnxMessage().Text(1, "").Number(2, OperatorSet));
        foreach (var (key, value) in texts) after.Inner(14, Entry(key, value));
        return after;
    }

    private static OnnxMessage Entry(string key, string value) => new OnnxMessage().Text(1, key).Text(2, value);

    private static void WriteBeside(Stream stream, IEnumerable<OnnxConstant> constants)
    {
        foreach (var constant in constants.Where(constant => !IsInside(constant, "")))
        {
            stream.Write(Bytes(constant));
            var end = stream.Position;
            stream.Write(new byte[NextPage(end) - end]);
        }
    }

    private static bool IsInside(OnnxConstant constant, string? beside) => beside is null || constant.ByteCount < Small;

    private static long NextPage(long offset) => (offset + Page - 1) / Page * Page;

    private static byte[] Bytes(OnnxConstant constant)
    {
        var bytes = constant.Read();
        return bytes.LongLength == constant.ByteCount
            ? bytes
            : throw new JepaException($"'{constant.Name}' has {bytes.LongLength} bytes; expected {constant.ByteCount}.");
    }
}
