import '@fontsource-variable/inter/index.css';
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/tabs.css';
import './styles/parameters.css';
import './styles/training.css';
import './styles/run.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { preventStrayDrops } from './components/Drop';

preventStrayDrops();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id root.');
createRoot(root).render(<App />);
