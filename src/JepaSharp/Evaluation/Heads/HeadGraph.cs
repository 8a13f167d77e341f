using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights.Onnx;

namespace JepaSharp.Evaluation.Heads;

/// <summary>A kept head in the form that an ONNX file takes.</summary>
internal static class HeadGraph
{
    private static readonly Dictionary<string, OnnxPooling> Poolings = new()
    {
        ["auto"] = OnnxPooling.Usual,
        ["mean"] = OnnxPooling.Mean,
        ["class"] = OnnxPooling.ClassToken,
        ["class-unnormed"] = OnnxPooling.ClassTokenUnnormed,
        ["class-mean"] = OnnxPooling.SideBySide,
        ["interleaved"] = OnnxPooling.Interleaved,
    };

    /// <summary>What the file is to hold.</summary>
    /// <param name="record">What the head's folder says.</param>
    /// <param name="outputs">Its numbers.</param>
    /// <param name="encoder">Shape of its encoder.</param>
    /// <exception cref="JepaException">There is no such form of it.</exception>
    public static OnnxOptions Of(HeadRecord record, HeadOutputs outputs, VisionTransformerShape encoder)
    {
        var why = outputs is not LinearOutputs ? $"a head of {record.Kind}, which compares images with those that it keeps"
            : record.Classes is null ? "a head of numbers"
            : record.Features.Layers > 1 ? $"a head that reads the last {record.Features.Layers} layers"
            : null;
        if (why is not null)
            throw new JepaException(
                $"This is {why}: such a file holds a linear or logistic head of classes on the last layer. Fit one with 'jepa fit --head logistic "
                    + "--layers last', or export the encoder alone.", isUsage: true);
        var readout = ((LinearOutputs)outputs).Readout;
        var (width, classes) = (record.Features.Width, record.Classes!);
        var weight = new float[classes.Count * width];
        for (var k = 0; k < classes.Count; k++)
        {
            for (var d = 0; d < width; d++) weight[(k * width) + d] = (float)readout.Weights[(d * classes.Count) + k];
        }

        var (transform, size) = (record.Transform, record.Transform.Size);
        var word = transform == HeadTransform.Whole(size) ? "squash" : transform == HeadTransform.Paper(size) ? "paper"
            : throw new JepaException($"The head's images are brought to size by {transform}, which has no word in such a file.", isUsage: true);
        return new OnnxOptions
        {
            Pooling = Poolings[record.Features.Pool],
            Side = size == encoder.ImageHeight && size == encoder.ImageWidth ? null : size,
            Head = new OnnxHead(classes, weight, Array.ConvertAll(readout.Bias, bias => (float)bias)) { Temperature = record.Temperature!.Value },
            Texts = new Dictionary<string, string> { ["transform"] = word },
        };
    }
}
