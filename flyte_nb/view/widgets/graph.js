// The live graph by itself. Python puts hosted.js and the parts of the graph in front.

export default hosted(GraphView, { ...GRAPH_HEARD, "msg:custom": noteAnswers });
